{% test no_gaps(model, column_name, every) %}
-- Steps of a calendar, say every '1 month', that are missing between the first and the last; the
-- company's months and days have no gap, whatever happened in them.
with steps as (
  select step::date as {{ column_name }}
  from
    generate_series(
      (select min({{ column_name }}) from {{ model }})::timestamp,
      (select max({{ column_name }}) from {{ model }})::timestamp,
      interval '{{ every }}'
    ) as step
)

select {{ column_name }} from steps
where {{ column_name }} not in (select {{ column_name }} from {{ model }})
{% endtest %}
