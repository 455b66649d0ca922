{{ config(indexes=[{'columns': ['month', 'plan_id', 'region'], 'unique': true}]) }}
{% set kinds = ['new', 'reactivation', 'expansion', 'contraction', 'churn', 'transfer'] %}
with cells as (
  select months.month, months.measured_on, plans.plan_id, plans.plan_name, regions.region
  from {{ ref('int_months') }} as months
  cross join {{ ref('stg_plans') }} as plans
  cross join {{ regions() }}
  where plans.monthly_fee > 0
),

flows as (
  select
    month, plan_id, region,
    {% for kind in kinds + ['resumed', 'lapsed'] %}
    sum({{ kind }}_cents) / 100.0 as {{ kind }}_mrr{{ ',' if not loop.last }}
    {% endfor %}
  from {{ ref('int_monthly_flows') }}
  group by month, plan_id, region
),

filled as (
  select
    cells.*,
    {% for kind in kinds + ['resumed', 'lapsed'] %}
    coalesce({{ kind }}_mrr, 0) as {{ kind }}_mrr,
    {% endfor %}
    {% for kind in kinds %}
    coalesce({{ kind }}_mrr, 0){{ ' +' if not loop.last }}
    {% endfor %} as change
  from cells
  left join flows using (month, plan_id, region)
),

closed as (
  select *, sum(change) over (partition by plan_id, region order by month) as closing_mrr
  from filled
)

select
  month,
  measured_on,
  plan_id,
  plan_name,
  region,
  (closing_mrr - change)::numeric(14, 2) as opening_mrr,
  {% for kind in kinds %}
  {{ kind }}_mrr::numeric(14, 2) as {{ kind }}_mrr,
  {% endfor %}
  closing_mrr::numeric(14, 2) as closing_mrr,
  resumed_mrr::numeric(14, 2) as resumed_mrr,
  lapsed_mrr::numeric(14, 2) as lapsed_mrr
from closed
