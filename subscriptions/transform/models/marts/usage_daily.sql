{{ config(indexes=[{'columns': ['usage_date', 'plan_id'], 'unique': true}], pre_hook='{{ in_bulk() }}') }}
-- Where a build goes on from an earlier one: the days that have new rows are summed up anew.
{% set since, activity = since(), ref('int_activity') %}
with touched as not materialized (
  select * from {{ ref('stg_usage') }}
  {% if since is not none %}
  where usage_date in ({{ days_of_new_usage(since) }})
  {% endif %}
),

days as (
  select
    usage_date,
    plan_id,
    count(*) as active_users,
    sum(actions_performed) as actions,
    -- Hundredths of a MB are whole numbers, whose sum does not depend on the order.
    sum((storage_used_mb * 100)::bigint) / 100 as storage_used_mb,
    sum(api_calls) as api_calls,
    sum(active_minutes) as active_minutes
  from touched
  group by usage_date, plan_id
),

-- A user with several rows on one day is one active user. Counting distinct users sorts rows, so where
-- that are millions it is done for those few users alone.
repeated as (
  select usage_date, plan_id, count(*) - count(distinct user_id) as surplus
  from touched
  {% if since is none %}
  where user_id in (select user_id from {{ activity }} where repeats)
  {% endif %}
  group by usage_date, plan_id
),

summed as (
  select
    usage_date, plan_id, active_users - coalesce(surplus, 0) as active_users, actions, storage_used_mb, api_calls, active_minutes
  from days
  left join repeated using (usage_date, plan_id)
  {% if since is not none %}

  union all

  select usage_date, plan_id, active_users, actions, storage_used_mb, api_calls, active_minutes
  from {{ served() }}.usage_daily
  where usage_date not in (select usage_date from days)
  {% endif %}
)

select
  calendar.day as usage_date,
  plans.plan_id,
  plans.plan_name,
  coalesce(active_users, 0)::int as active_users,
  coalesce(actions, 0)::bigint as actions,
  coalesce(storage_used_mb, 0)::numeric(20, 2) as storage_used_mb,
  coalesce(api_calls, 0)::bigint as api_calls,
  coalesce(active_minutes, 0)::bigint as active_minutes
from {{ ref('int_calendar') }} as calendar
cross join {{ ref('stg_plans') }} as plans
left join summed on summed.usage_date = calendar.day and summed.plan_id = plans.plan_id
