{{ config(
    pre_hook='{{ in_bulk() }}',
    indexes=[{'columns': ['month', 'plan_id', 'region', 'referral_source', 'cohort_month'], 'unique': true}]
) }}
-- What each month changed, by plan, region, referral source and month of sign-up: all monthly marts
-- are sums of these. A stock at a month's end is the sum of all flows until then, so that a month in
-- which nothing happened to a customer needs no row. Where a build goes on from an earlier one, it
-- takes that one's flows, less what the changed users were in them, plus what they are.
{% set since = since() %}
{% set traits = 'region, referral_source, cohort_month' %}
{% set measures = [
  'signups', 'new_customers', 'trial_free_customers', 'reactivated_customers', 'churned_customers',
  'transferred_customers', 'paying_customers', 'free_users', 'new_cents', 'reactivation_cents',
  'expansion_cents', 'contraction_cents', 'churn_cents', 'transfer_cents', 'resumed_cents', 'lapsed_cents', 'revenue_cents'
] %}
with segments as (
  select segment_id, {{ traits }}, sum(users) as users
  from {{ ref('int_segments') }}
  group by segment_id, {{ traits }}
),

paid as not materialized (
  select * from {{ ref('int_subscriptions') }} where cents > 0
),

-- From one month's end to the next: in the month of its start a subscription is held against the one
-- that it goes on from, in the one at whose end it is over against itself; in others nothing changes.
movements as (
  select
    weight, segment_id, first_month as month, plan_id, had_paid,
    plan_before,
    goes_on as was_customer,
    case when goes_on_at_once then cents_before else 0 end as mrr_before,
    case when lapse_month <= first_month then 0 else cents end as mrr,
    not churns or lapse_month > first_month as is_customer
  from paid

  union all

  select
    weight, segment_id, lapse_month, plan_id, had_paid,
    plan_id, true, cents, 0, not churns
  from paid
  where lapse_month > first_month
),

named as (
  select
    *,
    not was_customer and not had_paid as is_new,
    not was_customer and plan_before is null as came_directly,
    not was_customer and had_paid as is_back,
    was_customer and is_customer as stays,
    was_customer and is_customer and plan_id <> plan_before as moves
  from movements
  where not was_customer or not is_customer or mrr <> mrr_before or plan_id <> plan_before
),

counted as (
  select
    month, plan_id, plan_before, segment_id,
    sum(weight) as flows,
    sum(weight) filter (where is_new) as is_new,
    sum(weight) filter (where came_directly) as is_new_without_trial,
    sum(weight) filter (where is_back) as is_back,
    sum(weight) filter (where not was_customer and not is_customer) as came_and_went,
    sum(weight) filter (where was_customer) as was_customer,
    sum(weight) filter (where was_customer and not is_customer) as went,
    sum(weight) filter (where moves) as moves,
    sum(weight) filter (where mrr > 0) as pays,
    sum(weight) filter (where mrr_before > 0) as paid,
    sum(weight * mrr) filter (where is_new) as new_cents,
    sum(weight * mrr) filter (where is_back) as reactivation_cents,
    sum(weight * (mrr - mrr_before)) filter (where stays and mrr > mrr_before) as expansion_cents,
    sum(weight * (mrr - mrr_before)) filter (where stays and mrr < mrr_before) as contraction_cents,
    sum(weight * -mrr_before) filter (where was_customer and not is_customer) as churn_cents,
    sum(weight * mrr_before) filter (where moves) as transfer_cents,
    sum(weight * mrr) filter (where stays and mrr_before = 0) as resumed_cents,
    sum(weight * -mrr_before) filter (where stays and mrr = 0) as lapsed_cents
  from named
  group by month, plan_id, plan_before, segment_id
),

changes as (
  -- On the plan of the month's end.
  select
    month, plan_id, segment_id, flows,
    0 as signups,
    is_new as new_customers,
    is_new_without_trial as trial_free_customers,
    is_back as reactivated_customers,
    came_and_went as churned_customers,
    moves as transferred_customers,
    pays as paying_customers,
    0 as free_users,
    new_cents, reactivation_cents, expansion_cents, contraction_cents,
    0 as churn_cents,
    transfer_cents, resumed_cents, lapsed_cents,
    0 as revenue_cents
  from counted

  union all

  -- On the plan of the month before's end.
  select
    month, plan_before, segment_id, was_customer,
    0, 0, 0, 0, went, -moves, -paid, 0, 0, 0, 0, 0, churn_cents, -transfer_cents, 0, 0, 0
  from counted
  where was_customer is not null

  union all

  -- Subscriptions that begin: what one costs is due then, and Free is used from then on.
  select
    first_month, plan_id, segment_id, sum(weight),
    0, 0, 0, 0, 0, 0, 0,
    sum(weight) filter (where cents = 0),
    0, 0, 0, 0, 0, 0, 0, 0,
    sum(weight * cents)
  from {{ ref('int_subscriptions') }}
  group by first_month, plan_id, segment_id

  union all

  -- Free ones that are over.
  select
    lapse_month, plan_id, segment_id, sum(weight),
    0, 0, 0, 0, 0, 0, 0, -sum(weight), 0, 0, 0, 0, 0, 0, 0, 0, 0
  from {{ ref('int_subscriptions') }}
  where cents = 0 and lapse_month is not null
  group by lapse_month, plan_id, segment_id

  union all

  -- Sign-ups are of no plan.
  select
    cohort_month, 0, segment_id, users,
    users, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  from segments
),

flows as (
  select month, plan_id, {{ traits }}, flows, {{ measures | join(', ') }}
  from changes
  join segments using (segment_id)
  {% if since is not none %}

  union all

  select month, plan_id, {{ traits }}, flows, {{ measures | join(', ') }}
  from {{ served() }}.int_monthly_flows
  {% endif %}
)

select
  month, plan_id, {{ traits }},
  sum(flows)::bigint as flows,
  {% for measure in measures %}
  coalesce(sum({{ measure }}), 0)::bigint as {{ measure }}{{ ',' if not loop.last }}
  {% endfor %}
from flows
group by month, plan_id, {{ traits }}
having sum(flows) <> 0
