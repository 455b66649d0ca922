select
  user_id,
  signup_date,
  date_trunc('month', signup_date::timestamp)::date as cohort_month,
  region,
  referral_source,
  valid_from,
  _dlt_id
from {{ source('dataset', 'user') }}
