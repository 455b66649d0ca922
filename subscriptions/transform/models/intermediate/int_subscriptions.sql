{{ config(unlogged=true, post_hook='analyze {{ this }}') }}
-- Each subscription with its fee, its user's traits and one before, and the spell that it is of.
-- Where a build goes on from an earlier one: those of the users whom anything has happened to, twice,
-- as they are (weight 1) and as they were known then (weight -1).
{% set since = since() %}
with known as (
  select 1 as weight, {{ as_of() }} as known_on, user_id, plan_id, start_date, end_date
  from {{ ref('stg_subscriptions') }}
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})

  union all

  select
    -1, date '{{ since.as_of }}', before.user_id, before.plan_id, before.start_date, before.end_date
  from {{ ref('int_changed_users') }} as changed
  join {{ ref('stg_subscriptions') }} as now using (user_id)
  cross join lateral (
    select versions.*
    from {{ ref('stg_subscription_versions') }} as versions
    where versions.subscription_id = now.subscription_id
      and versions._dlt_id <= '{{ since.greatest.subscription }}'
    order by versions.valid_from desc, versions._dlt_id desc
    limit 1
  ) as before
  {% endif %}
),

in_order as (
  select
    known.*,
    fees.monthly_fee as fee,
    lag(known.plan_id) over chain as plan_before,
    lag(fees.monthly_fee) over chain as fee_before,
    lag(known.end_date) over chain as end_before,
    lead(known.start_date) over chain as next_start,
    lead(fees.monthly_fee) over chain as next_fee
  from known
  join {{ ref('stg_plan_fees') }} as fees
    on fees.plan_id = known.plan_id and known.start_date <@ fees.starts
  window chain as (partition by known.user_id, known.weight order by known.start_date)
),

linked as (
  select
    *,
    fee > 0 and coalesce(fee_before > 0 and start_date <= end_before + {{ grace() }}, false) as goes_on,
    fee > 0 and coalesce(next_fee > 0 and next_start <= end_date + {{ grace() }}, false) as gone_on
  from in_order
),

numbered as (
  select
    *,
    sum((fee > 0 and not goes_on)::int) over chain as spell,
    sum((fee = 0)::int) over chain as free_ones
  from linked
  window chain as (partition by user_id, weight order by start_date)
)

select
  weight, known_on, user_id, plan_id, start_date, end_date, fee, plan_before, fee_before, next_start,
  gone_on, spell, free_ones,
  case
    when fee > 0 and not gone_on and (next_start is not null or known_on >= end_date + {{ grace() }})
      then end_date + 1
  end as churned_on,
  traits.cohort_month, traits.region, traits.referral_source
from numbered
join {{ ref('int_traits') }} as traits using (user_id, weight)
