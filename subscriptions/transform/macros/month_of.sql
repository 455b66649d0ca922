{% macro month_of(day) -%}
  {# The first day of a day's month. By way of timestamp: of a date, date_trunc makes one with a time zone. #}
  date_trunc('month', ({{ day }})::timestamp)::date
{%- endmacro %}
