{# What the last load says of the dataset, asked once for each model. #}

{% macro served() -%}
  {# The schema of the marts in service, whatever the target: what a build goes on from. #}
  {{ return(source('dataset', 'user_current').schema ~ '_marts') }}
{%- endmacro %}


{% macro last_load() -%}
  {# The last load's receipt: its id, its as-of date D, and the tables whose keys an append left doubled. #}
  {% if not execute %}
    {{ return({'load_id': '', 'as_of': '2000-01-01', 'doubled': []}) }}
  {% endif %}
  {% set found = run_query(
    "select _dlt_load_id, as_of, rows::text, stored::text from " ~ source('dataset', '_load_receipt')
    ~ " order by published_at desc limit 1") %}
  {% if not found.rows %}
    {{ exceptions.raise_compiler_error("Nothing is loaded yet: run manage.py load_faker_data first.") }}
  {% endif %}
  {% set receipt = found.rows[0] %}
  {% set rows, stored = fromjson(receipt[2]), fromjson(receipt[3] or '{}') %}
  {% set doubled = [] %}
  {% for table in rows if stored.get(table, {}).get('rows', 0) != rows[table] %}
    {% do doubled.append(table) %}
  {% endfor %}
  {{ return({'load_id': receipt[0], 'as_of': receipt[1] | string, 'doubled': doubled}) }}
{%- endmacro %}


{% macro as_of() -%}
  {# The last load's as-of date, as a literal. #}
  date '{{ last_load().as_of }}'
{%- endmacro %}


{% macro current_rows(table) -%}
  {# A table's current rows, one for each key: where an append has left copies, the newest. #}
  {% set relation = source('dataset', table ~ '_current') %}
  {% if table in last_load().doubled %}
    (
      select distinct on ({{ table }}_id) *
      from {{ relation }}
      order by {{ table }}_id, valid_from desc, _dlt_load_id desc, _dlt_id desc
    )
  {% else %}
    {{ relation }}
  {% endif %}
{%- endmacro %}
