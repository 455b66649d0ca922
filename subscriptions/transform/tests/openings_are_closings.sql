-- A month's opening revenue is the month before's closing one.
select *
from (
  select
    month, plan_id, region, opening_mrr,
    lag(closing_mrr, 1, 0) over (partition by plan_id, region order by month) as closing_mrr_before
  from {{ ref('mrr_movements') }}
) as movements
where opening_mrr <> closing_mrr_before
