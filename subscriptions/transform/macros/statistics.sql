{% macro statistics() -%}
  {#
    Statistics of the dataset's tables that have none, as after a restore. A load leaves some; without
    any the planner takes all current rows for a handful, and looks through one table for each row of
    another.
  #}
  {% if execute and flags.WHICH in ['build', 'run'] %}
    {% set schema = source('dataset', 'user').schema %}
    {% set found = run_query("
      select format('%I.%I', schemaname, tablename)
      from pg_tables
      where schemaname = '" ~ schema ~ "' and tablename in ('user', 'plan', 'subscription', 'usage')
        and not exists (
          select from pg_stats
          where pg_stats.schemaname = pg_tables.schemaname and pg_stats.tablename = pg_tables.tablename)
    ") %}
    {% if found.rows %}
      analyze {{ found.columns[0].values() | join(', ') }}
    {% endif %}
  {% endif %}
{%- endmacro %}
