{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- The last day on which each user did something, and whether the user has several rows on one day.
-- Where a build goes on from an earlier one: of the users who have done something since then.
{% set since = since() %}
select
  user_id,
  max(usage_date) as last_activity_on,
  -- In the order of the index on both this compares each day with the one before.
  count(*) > count(distinct usage_date) as repeats
from {{ ref('stg_usage') }}
{% if since is not none %}
where _dlt_id > '{{ since.greatest.usage }}'
{% endif %}
group by user_id
