-- What all movements come to, and what is reckoned straight from the subscriptions of the last day.
with stored as (
  select plan_id, sum(mrr) as mrr, sum(paying_customers) as paying_customers
  from {{ ref('mrr_monthly') }}
  where measured_on = {{ as_of() }}
  group by plan_id
),

reckoned as (
  select plan_id, sum(cents) / 100.0 as mrr, count(*) as paying_customers
  from (
    select plan_id, {{ cents('start_date', 'plan_fees') }} as cents
    from {{ ref('stg_subscriptions') }}
    join {{ ref('stg_plan_fees') }} as plan_fees using (plan_id)
    where end_date >= {{ as_of() }}
  ) as in_force
  where cents > 0
  group by plan_id
)

select plan_id, stored.mrr, reckoned.mrr as reckoned_mrr
from stored
full join reckoned using (plan_id)
where (coalesce(stored.mrr, 0), coalesce(stored.paying_customers, 0))
  <> (coalesce(reckoned.mrr, 0), coalesce(reckoned.paying_customers, 0))
