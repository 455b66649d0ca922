{# The combinations for which each month has a row, also where all is zero. #}

{% macro regions() -%}
  (values ('North America'), ('Europe'), ('Asia'), ('South America'), ('Africa'), ('Oceania')) as regions (region)
{%- endmacro %}

{% macro referral_sources() -%}
  (values ('web search'), ('paid ads'), ('social media'), ('referral')) as referral_sources (referral_source)
{%- endmacro %}

{% macro rate(part, whole) -%}
  round({{ part }}::numeric / nullif({{ whole }}, 0), 6)
{%- endmacro %}
