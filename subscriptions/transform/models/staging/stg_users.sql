select
  user_id,
  signup_date,
  date_trunc('month', signup_date::timestamp)::date as cohort_month,
  plan_id,
  region,
  referral_source,
  _dlt_id
from {{ current_rows('user') }} as users
