{# From where a build can go on, instead of looking at everything. #}

{% macro since() -%}
  {# What base() says, as keep_base() has kept it: to find that out takes a look at all new rows. #}
  {% if not execute %}
    {# So that dbt sees what a model asks for when it goes on; the rest it asks for in any case. #}
    {{ return({'as_of': '2000-01-01', 'greatest': {}}) }}
  {% endif %}
  {% if flags.FULL_REFRESH or target.name != 'staged' %}
    {{ return(none) }}
  {% endif %}
  {{ return(fromjson(run_query("select since from " ~ target.schema ~ "._base").rows[0][0])) }}
{%- endmacro %}


{% macro keep_base() -%}
  {# At the beginning of a run that may go on from another: from which, for all its models. #}
  {% if execute and target.name == 'staged' and flags.WHICH in ['build', 'run'] and not flags.FULL_REFRESH %}
    create or replace view {{ target.schema }}._base as
    select '{{ tojson(base()) | replace("'", "''") }}'::text as since
  {% endif %}
{%- endmacro %}


{% macro base() -%}
  {#
    The transform before this one: its as-of date, and the greatest row id that each table had then;
    none where everything has to be built anew.

    It can be gone on from where the loads since then have done nothing but add rows and close
    versions (scd2, and merge for usage, as they are by default): then what is stored still tells
    what each row was, and a new row has an id beyond those of then. And where they have found what
    the load before them left: of a row that was changed by hand, the version that a repair closes
    is not what the marts were built of. Plain dbt, which builds the marts in place, never goes on,
    nor is it gone on from: it may have stopped half-way, built some models only, or met a load.
  #}
  {% set made = adapter.get_relation(target.database, served(), '_transform_receipt') %}
  {% if made is none %}
    {{ return(none) }}
  {% endif %}
  {% set loads = source('dataset', '_load_receipt') %}
  {% set found = run_query("
    with made as (
      select * from " ~ made ~ " order by built_at desc limit 1
    ),
    base as (
      select loads.*, to_jsonb(made) -> 'greatest' as greatest, to_jsonb(made) ->> 'definitions' as definitions from made join " ~ loads ~ " as loads on loads._dlt_load_id = made.load_id
    ),
    later as (
      select loads.* from " ~ loads ~ " as loads join base on loads.published_at > base.published_at
    ),
    added as (
      select name, sum((later.changes -> name ->> 'added')::bigint) as rows
      from later, unnest(array['user', 'subscription', 'usage']) as name group by name
    )
    select base.as_of, base.greatest::text,
      coalesce((select jsonb_object_agg(name, rows) from added), '{}')::text
    from base
    where base.definitions = '" ~ var('definitions') ~ "' and jsonb_typeof(base.greatest) = 'object' and not exists (
      select from later
      where (later.seed, later.users, later.epoch) <> (base.seed, base.users, base.epoch)
        or exists (
          select from jsonb_each_text(later.dispositions) as used
          where not (used.value = 'scd2' or used.key = 'usage' and used.value = 'merge'))
        or exists (
          select from jsonb_each(later.changes) as changed, jsonb_each_text(changed.value) as kind
          where kind.value::bigint > 0
            and (
              (to_jsonb(later) ->> 'confirmed')::boolean is not true
              or kind.key <> 'added' and (kind.key <> 'closed' or changed.key = 'usage'))))
  ") %}
  {% if not found.rows %}
    {{ return(none) }}
  {% endif %}
  {% set base = found.rows[0] %}
  {% set since = {'as_of': base[0] | string, 'greatest': fromjson(base[1]), 'added': fromjson(base[2])} %}
  {{ return(since if only_went_on(since) else none) }}
{%- endmacro %}


{% macro no_base() -%}
  {# Where plain dbt is about to change what is in service: that no transform goes on from that. #}
  {% if execute and target.name != 'staged' and flags.WHICH in ['build', 'run'] %}
    {% set made = adapter.get_relation(target.database, target.schema, '_transform_receipt') %}
    {% if made is not none and 'definitions' in adapter.get_columns_in_relation(made) | map(attribute='name') %}
      update {{ made }} set definitions = 0
    {% endif %}
  {% endif %}
{%- endmacro %}


{% macro only_went_on(since) -%}
  {#
    Whether the rows since then are as many as the loads have added, and all of a later day: a row
    of an earlier one that had no version then was deleted by hand, and repaired.
  #}
  {% set checks = [] %}
  {% for table, day in [('user', 'signup_date'), ('subscription', 'start_date'), ('usage', 'usage_date')] %}
    {% set relation, key = source('dataset', table), table ~ '_id' %}
    {% do checks.append("
      (select count(*) from " ~ relation ~ " where _dlt_id > '" ~ since.greatest[table] ~ "') = " ~ since.added.get(table, 0)) %}
    {% if table != 'usage' %}
      {% do checks.append("
        not exists (
          select from " ~ relation ~ " as new
          where new._dlt_id > '" ~ since.greatest[table] ~ "' and new." ~ day ~ " <= '" ~ since.as_of ~ "'
            and not exists (
              select from " ~ relation ~ " as old
              where old." ~ key ~ " = new." ~ key ~ " and old._dlt_id <= '" ~ since.greatest[table] ~ "'))") %}
    {% endif %}
  {% endfor %}
  {{ return(run_query("select " ~ checks | join(" and ")).rows[0][0]) }}
{%- endmacro %}


{% macro days_of_new_usage(since) -%}
  {# As literals, so that the planner sees how few days, and so rows, there are. #}
  {% if not execute %}
    {{ return('null') }}
  {% endif %}
  {% set found = run_query(
    "select distinct usage_date from " ~ source('dataset', 'usage') ~ " where _dlt_id > '" ~ since.greatest.usage ~ "'") %}
  {% set days = [] %}
  {% for row in found.rows %}
    {% do days.append("date '" ~ row[0] ~ "'") %}
  {% endfor %}
  {{ return(days | join(', ') or 'null') }}
{%- endmacro %}
