select
  subscription_id,
  user_id,
  plan_id,
  start_date,
  end_date,
  _dlt_id
from {{ current_rows('subscription') }} as subscriptions
