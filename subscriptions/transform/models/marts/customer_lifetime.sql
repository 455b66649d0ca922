{{ config(indexes=[{'columns': ['user_id'], 'unique': true}], pre_hook='{{ in_bulk() }}') }}
-- Where a build goes on from an earlier one: only the users whom anything has happened to. Of those who
-- have but used the product, all is as it was but for the last day.
{% set since = since() %}
with users as (
  select * from {{ ref('stg_users') }}
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})
  {% endif %}
),

priced as (
  select user_id, start_date, end_date, {{ cents('start_date', 'plan_fees') }} as cents
  from {{ ref('stg_subscriptions') }}
  join {{ ref('stg_plan_fees') }} as plan_fees using (plan_id)
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})
  {% endif %}
  -- Without this the planner writes the fee's formula into each aggregate, and all find it out anew.
  offset 0
),

paid as (
  select
    user_id,
    min(start_date) filter (where cents > 0) as customer_since,
    max(end_date) filter (where cents > 0) as paid_until,
    count(*) filter (where cents > 0) as subscriptions,
    sum(end_date - start_date + 1) filter (where cents > 0) as tenure_days,
    sum(cents) / 100.0 as revenue,
    sum(cents) filter (where end_date >= {{ as_of() }}) / 100.0 as mrr,
    -- On Free since then, or gone for longer than the days of grace.
    max(start_date) > max(start_date) filter (where cents > 0)
    or max(end_date) filter (where cents > 0) <= {{ as_of() }} - {{ grace() }} as has_churned
  from priced
  group by user_id
)

select
  users.user_id,
  users.signup_date,
  users.region,
  users.referral_source,
  users.plan_id,
  case
    when paid.customer_since is null then 'free'
    when paid.has_churned then 'churned'
    else 'active'
  end as state,
  paid.customer_since,
  paid.paid_until,
  case when paid.has_churned then paid.paid_until + 1 end as churned_on,
  coalesce(paid.subscriptions, 0)::int as paid_subscriptions,
  coalesce(paid.tenure_days, 0)::int as tenure_days,
  coalesce(paid.revenue, 0)::numeric(14, 2) as revenue,
  coalesce(paid.mrr, 0)::numeric(14, 2) as mrr,
  {% if since is none %}
  activity.last_activity_on
  {% else %}
  greatest(activity.last_activity_on, before.last_activity_on) as last_activity_on
  {% endif %}
from users
left join paid using (user_id)
left join {{ ref('int_activity') }} as activity using (user_id)
{% if since is not none %}
left join {{ served() }}.customer_lifetime as before using (user_id)

union all

select
  user_id, signup_date, region, referral_source, plan_id, state, customer_since, paid_until, churned_on,
  paid_subscriptions, tenure_days, revenue, mrr,
  activity.last_activity_on
from {{ ref('int_activity') }} as activity
join {{ served() }}.customer_lifetime as before using (user_id)
where user_id not in (select user_id from {{ ref('int_changed_users') }})
  and (before.last_activity_on < activity.last_activity_on or before.last_activity_on is null)
{% endif %}
