{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- Each subscription with its fee in cents, its user's traits, and whether it goes on from the one before it,
-- the next one goes on from it, or its user has churned after it.
-- Where a build goes on from an earlier one: those of the users whom anything has happened to, twice,
-- as they are (weight 1) and as they were known then (weight -1).
{% set since = since() %}
with now as (
  select * from {{ ref('stg_subscriptions') }}
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})
  {% endif %}
),

subscriptions as (
  select 1 as weight, {{ as_of() }} as known_on, user_id, plan_id, start_date, end_date
  from now
  {% if since is not none %}

  union all

  select -1, date '{{ since.as_of }}', user_id, plan_id, start_date, end_date
  from now
  where _dlt_id <= '{{ since.greatest.subscription }}'

  union all

  select
    -1, date '{{ since.as_of }}', before.user_id, before.plan_id, before.start_date, before.end_date
  from now
  cross join lateral (
    select versions.*
    from {{ ref('stg_subscription_versions') }} as versions
    where versions.subscription_id = now.subscription_id
      and versions._dlt_id <= '{{ since.greatest.subscription }}'
    order by versions.valid_from desc, versions._dlt_id desc
    limit 1
  ) as before
  where now._dlt_id > '{{ since.greatest.subscription }}'
  {% endif %}
),

with_fees as (
  select subscriptions.*, {{ cents('start_date', 'plan_fees') }} as cents
  from subscriptions
  join {{ ref('stg_plan_fees') }} as plan_fees using (plan_id)
),

-- One sort of all, which is what this costs: whatever is asked of the others stands in one pass.
in_order as (
  select
    *,
    lag(plan_id) over chain as plan_before,
    lag(cents) over chain as cents_before,
    lag(end_date) over chain as end_before,
    lead(start_date) over chain as next_start,
    lead(cents) over chain as next_cents,
    count(*) filter (where cents = 0) over chain > 0 as had_free,
    count(*) filter (where cents > 0) over chain > 1 as had_paid
  from with_fees
  window
    chain as (
      partition by user_id, weight order by start_date
      rows between unbounded preceding and current row
    )
),

linked as (
  select
    *,
    cents > 0 and coalesce(cents_before > 0 and start_date <= end_before + {{ grace() }}, false) as goes_on,
    cents > 0 and coalesce(next_cents > 0 and next_start <= end_date + {{ grace() }}, false) as gone_on
  from in_order
),

churned as (
  select
    *,
    case
      when cents > 0 and not gone_on and (next_start is not null or known_on >= end_date + {{ grace() }})
        then end_date + 1
    end as churned_on
  from linked
)

select
  weight, known_on, user_id, plan_id, start_date, end_date, cents, plan_before, cents_before, end_before,
  goes_on, had_free, had_paid, churned_on,
  date_trunc('month', start_date::timestamp)::date as first_month,
  -- The last month at whose end it counts: from the month of the next one's start, that one does.
  case
    when gone_on then (date_trunc('month', next_start::timestamp) - interval '1 month')::date
    else date_trunc('month', coalesce(churned_on, known_on)::timestamp)::date
  end as last_month,
  cohort_month, region, referral_source
from churned
join {{ ref('int_traits') }} as traits using (user_id, weight)
