{{ config(unlogged=true, indexes=[{'columns': ['user_id'], 'unique': true}], post_hook='analyze {{ this }}', pre_hook='{{ in_bulk() }}') }}
-- Whom anything but usage has happened to since the transform before this one; nobody where all is
-- built anew.
{% set since = since() %}
{% if since is none %}

select user_id from {{ ref('stg_users') }} where false

{% else %}

select user_id from {{ ref('stg_users') }} where _dlt_id > '{{ since.greatest.user }}'
union
select user_id
from {{ ref('stg_subscriptions') }}
where _dlt_id > '{{ since.greatest.subscription }}'
  -- Or whose days of grace ran out, which changes no row.
  or end_date > date '{{ since.as_of }}' - {{ grace() }} and end_date <= {{ as_of() }} - {{ grace() }}

{% endif %}
