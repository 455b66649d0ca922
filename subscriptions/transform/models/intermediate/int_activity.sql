{{ config(unlogged=true, post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- The last day on which each user did something. Where a build goes on from an earlier one: of the
-- users who have done something since then.
-- The longest models begin first: this one beside int_subscriptions, usage_daily after it.
-- depends_on: {{ ref('int_segments') }}
{% set since = since() %}
{% if since is none %}

-- In the order of the index on both, from its end.
select distinct on (user_id) user_id, usage_date as last_activity_on
from {{ ref('stg_usage') }}
order by user_id desc, usage_date desc

{% else %}

select user_id, max(usage_date) as last_activity_on
from {{ ref('stg_usage') }}
where _dlt_id > '{{ since.greatest.usage }}'
group by user_id

{% endif %}
