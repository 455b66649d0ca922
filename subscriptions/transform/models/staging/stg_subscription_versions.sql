select
  subscription_id,
  user_id,
  plan_id,
  start_date,
  end_date,
  valid_from,
  _dlt_id
from {{ source('dataset', 'subscription') }}
