select
  user_id,
  signup_date,
  plan_id,
  region,
  referral_source,
  _dlt_id
from {{ current_rows('user') }} as users
