{{ config(indexes=[{'columns': ['month', 'plan_id', 'region'], 'unique': true}]) }}
with counts as (
  select
    movements.month, movements.plan_id, movements.region,
    sum(flows.new_customers + flows.reactivated_customers + flows.transferred_customers - flows.churned_customers) as customers,
    sum(flows.paying_customers) as paying_customers
  from {{ ref('mrr_movements') }} as movements
  join {{ ref('int_monthly_flows') }} as flows
    on flows.month = movements.month and flows.plan_id = movements.plan_id and flows.region = movements.region
  group by movements.month, movements.plan_id, movements.region
)

select
  month,
  measured_on,
  plan_id,
  plan_name,
  region,
  coalesce(sum(customers) over until_then, 0)::int as customers,
  coalesce(sum(paying_customers) over until_then, 0)::int as paying_customers,
  closing_mrr as mrr
from {{ ref('mrr_movements') }}
left join counts using (month, plan_id, region)
window until_then as (partition by plan_id, region order by month)
