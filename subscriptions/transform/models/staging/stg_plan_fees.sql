-- On which days a subscription began at which fee. Where versions begin on one day (an append does
-- that) the newest holds.
with versions as (
  select distinct on (plan_id, valid_from)
    plan_id,
    monthly_fee,
    valid_from
  from {{ source('dataset', 'plan') }}
  order by plan_id, valid_from, _dlt_load_id desc, _dlt_id desc
)

select
  plan_id,
  monthly_fee,
  daterange(
    case when row_number() over in_time > 1 then (valid_from at time zone 'UTC')::date end,
    (lead(valid_from) over in_time at time zone 'UTC')::date
  ) as starts
from versions
window in_time as (partition by plan_id order by valid_from)
