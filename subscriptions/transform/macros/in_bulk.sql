{% macro in_bulk() -%}
  {#
    Settings of a model's transaction that reads whole tables: in the order in which they lie on
    disk, rather than by an index, which the costs of a server that serves requests would have it do.
  #}
  {% if since() is none %}set local random_page_cost = 10{% endif %}
{%- endmacro %}
