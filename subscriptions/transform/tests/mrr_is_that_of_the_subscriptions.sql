-- What all movements come to, and what is reckoned straight from the subscriptions of the last day.
with stored as (
  select plan_id, sum(mrr) as mrr, sum(paying_customers) as paying_customers
  from {{ ref('mrr_monthly') }}
  where measured_on = {{ as_of() }}
  group by plan_id
),

reckoned as (
  select subscriptions.plan_id, sum(fees.monthly_fee) as mrr, count(*) as paying_customers
  from {{ ref('stg_subscriptions') }} as subscriptions
  join {{ ref('stg_plan_fees') }} as fees
    on fees.plan_id = subscriptions.plan_id and subscriptions.start_date <@ fees.starts
  where subscriptions.end_date >= {{ as_of() }} and fees.monthly_fee > 0
  group by subscriptions.plan_id
)

select plan_id, stored.mrr, reckoned.mrr as reckoned_mrr
from stored
full join reckoned using (plan_id)
where coalesce((stored.mrr, stored.paying_customers), (0, 0))
  <> coalesce((reckoned.mrr, reckoned.paying_customers), (0, 0))
