-- What each month changed, by plan, region, referral source and month of sign-up: all monthly marts
-- are sums of these. A stock at a month's end is the sum of all flows until then, so that a month in
-- which nothing happened to a customer needs no row. Where a build goes on from an earlier one, it
-- takes that one's flows, less what the changed users were in them, plus what they are.
{% set since = since() %}
{% set traits = 'region, referral_source, cohort_month' %}
{% set measures = [
  'signups', 'new_customers', 'trial_free_customers', 'reactivated_customers', 'churned_customers',
  'transferred_customers', 'paying_customers', 'free_users', 'new_mrr', 'reactivation_mrr',
  'expansion_mrr', 'contraction_mrr', 'churn_mrr', 'transfer_mrr', 'resumed_mrr', 'lapsed_mrr', 'revenue'
] %}
-- A customer's latest subscription at each month's end, up to the month of the churn: a spell has one
-- row for each of its months.
with at_month_ends as (
  select
    paid.weight, paid.user_id, paid.spell, paid.plan_id, paid.free_ones, {{ traits }}, months.month,
    case when paid.end_date >= least(months.month_end, paid.known_on) then paid.fee else 0 end as mrr,
    paid.churned_on is null or paid.churned_on > least(months.month_end, paid.known_on) as is_customer
  from {{ ref('int_subscriptions') }} as paid
  join {{ ref('int_months') }} as months
    on months.month_end >= paid.start_date
    and months.month <= case
      when paid.gone_on then date_trunc('month', paid.next_start::timestamp)::date - 1
      else coalesce(paid.churned_on, paid.known_on)
    end
  where paid.fee > 0
),

spells as (
  select
    *,
    coalesce(lag(is_customer) over in_time, false) as was_customer,
    coalesce(lag(mrr) over in_time, 0) as mrr_before,
    lag(plan_id) over in_time as plan_before
  from at_month_ends
  window in_time as (partition by user_id, weight, spell order by month)
),

movements as materialized (
  select
    *,
    not was_customer and spell = 1 as is_new,
    not was_customer and spell > 1 as is_back,
    was_customer and is_customer as stays,
    was_customer and is_customer and plan_id <> plan_before as moves
  from spells
  where not was_customer or not is_customer or mrr <> mrr_before or plan_id <> plan_before
),

flows as (
  -- On the plan of the month's end.
  select
    month, plan_id, {{ traits }}, sum(weight) as flows,
    0 as signups,
    sum(weight) filter (where is_new) as new_customers,
    sum(weight) filter (where is_new and free_ones = 0) as trial_free_customers,
    sum(weight) filter (where is_back) as reactivated_customers,
    sum(weight) filter (where not was_customer and not is_customer) as churned_customers,
    sum(weight) filter (where moves) as transferred_customers,
    sum(weight) filter (where mrr > 0) as paying_customers,
    0 as free_users,
    sum(weight * mrr) filter (where is_new) as new_mrr,
    sum(weight * mrr) filter (where is_back) as reactivation_mrr,
    sum(weight * (mrr - mrr_before)) filter (where stays and mrr > mrr_before) as expansion_mrr,
    sum(weight * (mrr - mrr_before)) filter (where stays and mrr < mrr_before) as contraction_mrr,
    0 as churn_mrr,
    sum(weight * mrr_before) filter (where moves) as transfer_mrr,
    sum(weight * mrr) filter (where stays and mrr_before = 0) as resumed_mrr,
    sum(weight * -mrr_before) filter (where stays and mrr = 0) as lapsed_mrr,
    0 as revenue
  from movements
  group by month, plan_id, {{ traits }}

  union all

  -- On the plan of the month before's end.
  select
    month, plan_before, {{ traits }}, sum(weight),
    0, 0, 0, 0,
    sum(weight) filter (where not is_customer),
    -sum(weight) filter (where moves),
    -sum(weight) filter (where mrr_before > 0),
    0, 0, 0, 0, 0,
    sum(weight * -mrr_before) filter (where not is_customer),
    sum(weight * -mrr_before) filter (where moves),
    0, 0, 0
  from movements
  where was_customer
  group by month, plan_before, {{ traits }}

  union all

  -- Subscriptions that begin: what one costs is due then, and Free is used from then on.
  select
    date_trunc('month', start_date::timestamp)::date, plan_id, {{ traits }}, sum(weight),
    0, 0, 0, 0, 0, 0, 0,
    sum(weight) filter (where fee = 0),
    0, 0, 0, 0, 0, 0, 0, 0,
    sum(weight * fee)
  from {{ ref('int_subscriptions') }}
  group by 1, plan_id, {{ traits }}

  union all

  -- Free ones that are over at the end of the month of the day after.
  select
    date_trunc('month', (end_date + 1)::timestamp)::date, plan_id, {{ traits }}, sum(weight),
    0, 0, 0, 0, 0, 0, 0, -sum(weight), 0, 0, 0, 0, 0, 0, 0, 0, 0
  from {{ ref('int_subscriptions') }}
  where fee = 0 and end_date < known_on
  group by 1, plan_id, {{ traits }}

  union all

  -- Sign-ups are of no plan.
  select
    cohort_month, 0, {{ traits }}, sum(weight),
    sum(weight), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  from {{ ref('int_traits') }}
  group by {{ traits }}
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
  coalesce(sum({{ measure }}), 0){{ '' if 'mrr' in measure or measure == 'revenue' else '::bigint' }} as {{ measure }}{{ ',' if not loop.last }}
  {% endfor %}
from flows
group by month, plan_id, {{ traits }}
having sum(flows) <> 0
