{{ config(indexes=[{'columns': ['month', 'plan_id', 'region', 'referral_source'], 'unique': true}]) }}
{% set counts = ['new_customers', 'trial_free_customers', 'reactivated_customers', 'churned_customers', 'transferred_customers', 'free_users'] %}
with cells as (
  select months.month, months.measured_on, plans.plan_id, plans.plan_name, regions.region, referral_sources.referral_source
  from {{ ref('int_months') }} as months
  cross join {{ ref('stg_plans') }} as plans
  cross join {{ regions() }}
  cross join {{ referral_sources() }}
),

flows as (
  select
    month, plan_id, region, referral_source,
    {% for count in counts %}
    sum({{ count }}) as {{ count }}{{ ',' if not loop.last }}
    {% endfor %}
  from {{ ref('int_monthly_flows') }}
  group by month, plan_id, region, referral_source
),

filled as (
  select
    cells.*,
    {% for count in counts %}
    coalesce({{ count }}, 0) as {{ count }},
    {% endfor %}
    coalesce(new_customers + reactivated_customers + transferred_customers - churned_customers, 0) as change
  from cells
  left join flows using (month, plan_id, region, referral_source)
),

closed as (
  select
    *,
    sum(change) over until_then as active_customers,
    sum(free_users) over until_then as on_free
  from filled
  window until_then as (partition by plan_id, region, referral_source order by month)
)

select
  month,
  measured_on,
  plan_id,
  plan_name,
  region,
  referral_source,
  (active_customers - change)::int as opening_customers,
  new_customers::int as new_customers,
  trial_free_customers::int as trial_free_customers,
  reactivated_customers::int as reactivated_customers,
  churned_customers::int as churned_customers,
  transferred_customers::int as transferred_customers,
  active_customers::int as active_customers,
  on_free::int as free_users
from closed
