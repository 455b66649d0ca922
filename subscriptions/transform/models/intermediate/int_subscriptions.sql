{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- Subscriptions with their fee in cents, their user's segment, and whether each goes on from the one before
-- it, and its user has churned after it. Those that are alike in all of it are one row, with how many they
-- are as its weight: monthly marts ask for no more, and they are a tenth as many rows.
-- Where a build goes on from an earlier one: those of the users whom anything has happened to, twice,
-- as they are (weight 1) and as they were known then (weight -1), which is nothing where both are alike.
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

-- With all that several processes can find out at once: whatever comes after the sort is one's work.
priced as (
  select
    subscriptions.*,
    {{ cents('start_date', 'plan_fees') }} as cents,
    segment_id,
    {{ month_of('start_date') }} as first_month,
    {{ month_of('end_date + 1') }} as month_after
  from subscriptions
  join {{ ref('stg_plan_fees') }} as plan_fees using (plan_id)
  join {{ ref('int_traits') }} as traits using (user_id, weight)
  join {{ ref('int_segments') }} as segments on segments.segment_key = {{ segment_key('traits') }}
),

-- One sort of all, which is what this costs: whatever is asked of the others stands in one pass.
in_order as (
  select
    *,
    lag(plan_id) over chain as plan_before,
    lag(cents) over chain as cents_before,
    lag(end_date) over chain as end_before,
    -- Never where the next one is free, null where there is none.
    lead(case when cents > 0 then start_date else 'infinity' end) over chain as next_paid_start,
    count(*) filter (where cents > 0) over chain > 1 as had_paid
  from priced
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
    cents > 0 and coalesce(next_paid_start <= end_date + {{ grace() }}, false) as gone_on
  from in_order
)

select
  -- Fees times weights may be beyond integers.
  segment_id, first_month, plan_id, cents::bigint,
  plan_before, cents_before::bigint, had_paid, goes_on,
  -- Whether the one before was in force at the end of the month before.
  goes_on and end_before >= first_month - 1 as goes_on_at_once,
  -- The month at whose end it is over, and no other has gone on from it.
  case
    when end_date < known_on and not (gone_on and {{ month_of('next_paid_start') }} = month_after)
      then month_after
  end as lapse_month,
  cents > 0 and not gone_on and (next_paid_start is not null or known_on >= end_date + {{ grace() }}) as churns,
  -- A user whose subscription begins before the one before it has ended, or has no fee: there must be none.
  case
    when (cents >= 0 and (end_before is null or end_before < start_date)) is not true then user_id
  end as out_of_order,
  sum(weight)::int as weight
from linked
group by
  segment_id, first_month, plan_id, linked.cents, plan_before, linked.cents_before, had_paid, goes_on, goes_on_at_once,
  lapse_month, churns, out_of_order
having sum(weight) <> 0
