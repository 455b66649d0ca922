{{ config(indexes=[{'columns': ['referral_source'], 'unique': true}]) }}
with flows as (
  select
    referral_source,
    sum(signups) as users,
    sum(new_customers) as customers,
    sum(new_customers + reactivated_customers - churned_customers) as active_customers,
    sum(revenue_cents) / 100.0 as revenue,
    sum(
      new_cents + reactivation_cents + expansion_cents + contraction_cents + churn_cents
    ) / 100.0 as mrr
  from {{ ref('int_monthly_flows') }}
  group by referral_source
)

select
  referral_source,
  coalesce(users, 0)::int as users,
  coalesce(customers, 0)::int as customers,
  {{ rate('customers', 'users') }} as conversion_rate,
  coalesce(active_customers, 0)::int as active_customers,
  coalesce(customers - active_customers, 0)::int as churned_customers,
  coalesce(revenue, 0)::numeric(14, 2) as revenue,
  round(revenue / nullif(users, 0), 2) as revenue_per_user,
  coalesce(mrr, 0)::numeric(14, 2) as mrr
from {{ referral_sources() }}
left join flows using (referral_source)
where exists (select from {{ ref('stg_users') }})
