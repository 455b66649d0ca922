select
  user_id,
  signup_date,
  region,
  referral_source,
  valid_from,
  _dlt_id
from {{ source('dataset', 'user') }}
