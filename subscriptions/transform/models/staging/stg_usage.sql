select
  usage_id,
  user_id,
  plan_id,
  usage_date,
  actions_performed,
  storage_used_mb,
  api_calls,
  active_minutes,
  _dlt_id
from {{ current_rows('usage') }} as usage
