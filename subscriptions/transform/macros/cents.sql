{% macro cents(day, plan_fees) -%}
  {#
    The fee that a row of stg_plan_fees has on a day; before the first, the first. In cents, since
    whole numbers are summed up several times as fast as numerics.
    The joins are by plan alone, which lets the planner know how many rows there will be.
  #}
  {{ plan_fees }}.cents[greatest(width_bucket({{ day }}, {{ plan_fees }}.since), 1)]
{%- endmacro %}
