{{ config(unlogged=true, post_hook='analyze {{ this }}') }}
-- Its months.
select distinct month, month_number, measured_on
from {{ ref('int_calendar') }}
