{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- Who the users are as far as marts split them: for each region, referral source and day of sign-up
-- the number of the segment, which is that of its month. Millions of rows are grouped by that number
-- instead of by two names and a month.
select
  {{ segment_key('traits') }} as segment_key,
  region,
  referral_source,
  {{ month_of('signup_date') }} as cohort_month,
  dense_rank() over (order by {{ month_of('signup_date') }}, region, referral_source)::int as segment_id,
  sum(weight) as users
from {{ ref('int_traits') }} as traits
group by signup_date, region, referral_source
