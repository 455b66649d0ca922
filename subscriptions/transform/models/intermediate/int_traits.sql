{{ config(materialized='ephemeral') }}
-- By what marts split users. Where a build goes on from an earlier one: of those whom anything has
-- happened to, as they are (weight 1) and as they were known then (weight -1).
{% set since = since() %}
with now as (
  select * from {{ ref('stg_users') }}
  {% if since is not none %}
  where user_id in (select user_id from {{ ref('int_changed_users') }})
  {% endif %}
)

select 1 as weight, user_id, signup_date, region, referral_source
from now
{% if since is not none %}

union all

select -1, user_id, signup_date, region, referral_source
from now
where _dlt_id <= '{{ since.greatest.user }}'

union all

select -1, before.user_id, before.signup_date, before.region, before.referral_source
from now
cross join lateral (
  select versions.*
  from {{ ref('stg_user_versions') }} as versions
  where versions.user_id = now.user_id and versions._dlt_id <= '{{ since.greatest.user }}'
  order by versions.valid_from desc, versions._dlt_id desc
  limit 1
) as before
where now._dlt_id > '{{ since.greatest.user }}'
{% endif %}
