{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- Who the users are as far as marts split them: for each day of sign-up, region and referral source
-- the number of the segment, which is that of its month. Millions of rows are grouped by that number
-- instead of by two names and a month. By day, since of days the planner has statistics.
select
  signup_date,
  region,
  referral_source,
  {{ month_of('signup_date') }} as cohort_month,
  dense_rank() over (order by {{ month_of('signup_date') }}, region, referral_source)::int as segment_id,
  sum(weight) as users
from {{ ref('int_traits') }}
group by signup_date, region, referral_source
