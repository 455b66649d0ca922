{{ config(indexes=[{'columns': ['cohort_month', 'months_since'], 'unique': true}]) }}
with cells as (
  select
    cohorts.month as cohort_month,
    months.month,
    months.measured_on,
    months.month_number - cohorts.month_number as months_since
  from {{ ref('int_months') }} as cohorts
  join {{ ref('int_months') }} as months on months.month >= cohorts.month
),

flows as (
  select
    cohort_month,
    month,
    sum(signups) as signups,
    sum(new_customers + reactivated_customers - churned_customers) as customers,
    sum(
      new_cents + reactivation_cents + expansion_cents + contraction_cents + churn_cents
    ) / 100.0 as mrr
  from {{ ref('int_monthly_flows') }}
  group by cohort_month, month
),

summed as (
  select
    cells.*,
    coalesce(sum(signups) over until_then, 0) as users,
    coalesce(sum(customers) over until_then, 0) as customers,
    coalesce(sum(mrr) over until_then, 0) as mrr
  from cells
  left join flows using (cohort_month, month)
  window until_then as (partition by cohort_month order by month)
)

select
  cohort_month,
  months_since,
  month,
  measured_on,
  users::int as users,
  customers::int as customers,
  {{ rate('customers', 'users') }} as retention_rate,
  mrr::numeric(14, 2) as mrr
from summed
