{{ config(indexes=[{'columns': ['user_id'], 'unique': true}], pre_hook='{{ in_bulk() }}') }}
-- Where a build goes on from an earlier one: only the users whom anything has happened to.
{% set since = since() %}
with users as (
  select * from {{ ref('stg_users') }}
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})
  {% endif %}
),

paid as (
  select
    user_id,
    min(start_date) as customer_since,
    max(end_date) as paid_until,
    count(*) as subscriptions,
    sum(end_date - start_date + 1) as tenure_days,
    sum(cents) / 100.0 as revenue,
    sum(cents) filter (where end_date >= known_on) / 100.0 as mrr,
    max(start_date) = max(start_date) filter (where churned_on is not null) as has_churned,
    max(churned_on) as churned_on
  from {{ ref('int_subscriptions') }}
  where cents > 0 and weight > 0
  group by user_id
),

activity as (
  {% if since is none %}
  select user_id, max(usage_date) as last_activity_on
  from {{ ref('stg_usage') }}
  group by user_id
  {% else %}
  select users.user_id, last.usage_date as last_activity_on
  from users
  cross join lateral (
    select max(usage.usage_date) as usage_date
    from {{ ref('stg_usage') }} as usage
    where usage.user_id = users.user_id
  ) as last
  {% endif %}
)

select
  users.user_id,
  users.signup_date,
  users.region,
  users.referral_source,
  users.plan_id,
  case
    when paid.user_id is null then 'free'
    when paid.has_churned then 'churned'
    else 'active'
  end as state,
  paid.customer_since,
  paid.paid_until,
  case when paid.has_churned then paid.churned_on end as churned_on,
  coalesce(paid.subscriptions, 0)::int as paid_subscriptions,
  coalesce(paid.tenure_days, 0)::int as tenure_days,
  coalesce(paid.revenue, 0)::numeric(14, 2) as revenue,
  coalesce(paid.mrr, 0)::numeric(14, 2) as mrr,
  activity.last_activity_on
from users
left join paid using (user_id)
left join activity using (user_id)
