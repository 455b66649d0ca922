select plan_id, plan_name, monthly_fee
from {{ current_rows('plan') }} as plans
