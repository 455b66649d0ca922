{{ config(indexes=[{'columns': ['month'], 'unique': true}]) }}
with customers as (
  select
    month,
    measured_on,
    sum(opening_customers) as opening_customers,
    sum(churned_customers) as churned_customers
  from {{ ref('customer_monthly') }}
  group by month, measured_on
),

revenue as (
  select
    month,
    sum(opening_mrr) as opening_mrr,
    -sum(churn_mrr) as churned_mrr,
    sum(opening_mrr + expansion_mrr + contraction_mrr + churn_mrr) as kept_mrr
  from {{ ref('mrr_movements') }}
  group by month
)

select
  month,
  measured_on,
  opening_customers::int as opening_customers,
  churned_customers::int as churned_customers,
  {{ rate('churned_customers', 'opening_customers') }} as customer_churn_rate,
  opening_mrr::numeric(14, 2) as opening_mrr,
  churned_mrr::numeric(14, 2) as churned_mrr,
  {{ rate('churned_mrr', 'opening_mrr') }} as revenue_churn_rate,
  {{ rate('kept_mrr', 'opening_mrr') }} as net_revenue_retention
from customers
join revenue using (month)
