-- A month begins with the customers with whom the month before ended.
select *
from (
  select
    month, plan_id, region, referral_source, opening_customers,
    lag(active_customers, 1, 0) over (partition by plan_id, region, referral_source order by month) as active_before
  from {{ ref('customer_monthly') }}
) as customers
where opening_customers <> active_before
