{% macro grace() -%}
  {# The day after a subscription's last one on which, at the latest, the next begins: a gap of 7 days. #}
  8
{%- endmacro %}
