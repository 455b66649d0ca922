{{ config(materialized='ephemeral') }}
-- By what marts split users. Where a build goes on from an earlier one: of those whom anything has
-- happened to, as they are (weight 1) and as they were known then (weight -1).
{% set since = since() %}
select 1 as weight, user_id, cohort_month, region, referral_source
from {{ ref('stg_users') }}
{% if since is not none %}
where user_id in (select user_id from {{ ref('int_changed_users') }})

union all

select -1, before.user_id, before.cohort_month, before.region, before.referral_source
from {{ ref('int_changed_users') }} as changed
cross join lateral (
  select versions.*
  from {{ ref('stg_user_versions') }} as versions
  where versions.user_id = changed.user_id and versions._dlt_id <= '{{ since.greatest.user }}'
  order by versions.valid_from desc, versions._dlt_id desc
  limit 1
) as before
{% endif %}
