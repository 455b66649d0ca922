{{ config(indexes=[{'columns': ['month', 'from_plan_id', 'to_plan_id'], 'unique': true}]) }}
{% set since = since() %}
with movements as (
  select
    first_month as month,
    plan_before as from_plan_id,
    plan_id as to_plan_id,
    weight as movements,
    weight * (cents - cents_before) / 100.0 as fee_change
  from {{ ref('int_subscriptions') }}
  where plan_id <> plan_before
  {% if since is not none %}

  union all

  select month, from_plan_id, to_plan_id, movements, fee_change
  from {{ served() }}.plan_movements
  {% endif %}
)

select
  months.month,
  from_plan.plan_id as from_plan_id,
  from_plan.plan_name as from_plan_name,
  to_plan.plan_id as to_plan_id,
  to_plan.plan_name as to_plan_name,
  coalesce(sum(movements), 0)::int as movements,
  coalesce(sum(fee_change), 0)::numeric(14, 2) as fee_change
from {{ ref('int_months') }} as months
cross join {{ ref('stg_plans') }} as from_plan
join {{ ref('stg_plans') }} as to_plan on to_plan.plan_id <> from_plan.plan_id
left join movements
  on movements.month = months.month
  and movements.from_plan_id = from_plan.plan_id
  and movements.to_plan_id = to_plan.plan_id
group by months.month, from_plan.plan_id, from_plan.plan_name, to_plan.plan_id, to_plan.plan_name
