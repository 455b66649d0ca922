{% macro in_bulk() -%}
  {#
    How a model's transaction reads tables: whole ones in the order in which they lie on disk, and
    the few rows that have changed by an index. A planner that guesses by the costs of a server
    that serves requests would do the opposite.
  #}
  set local random_page_cost = {{ 10 if since() is none else 0.1 }}
{%- endmacro %}
