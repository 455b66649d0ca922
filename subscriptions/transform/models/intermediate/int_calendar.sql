{{ config(unlogged=true, indexes=[{'columns': ['day'], 'unique': true}], post_hook='analyze {{ this }}') }}
-- Each day of the company: from the first sign-up to the last load's as-of date.
select
  day::date as day,
  month::date as month,
  (extract(year from day) * 12 + extract(month from day))::int as month_number,
  least((month + interval '1 month')::date - 1, {{ as_of() }}) as measured_on
from
  generate_series(
    (select min(signup_date) from {{ ref('stg_users') }})::timestamp,
    {{ as_of() }}::timestamp,
    interval '1 day'
  ) as day,
  date_trunc('month', day) as month
