-- Each plan's fees, in cents, and the days since when they hold, in order. Where versions begin on one day (an
-- append does that) the newest holds.
with versions as (
  select distinct on (plan_id, valid_from)
    plan_id,
    (monthly_fee * 100)::int as cents,
    (valid_from at time zone 'UTC')::date as since
  from {{ source('dataset', 'plan') }}
  order by plan_id, valid_from, _dlt_load_id desc, _dlt_id desc
)

select
  plan_id,
  array_agg(cents order by since) as cents,
  array_agg(since order by since) as since
from versions
group by plan_id
