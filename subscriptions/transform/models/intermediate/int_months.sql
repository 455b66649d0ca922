{{ config(materialized='ephemeral') }}
select distinct month, month_number, month_end, measured_on
from {{ ref('int_calendar') }}
