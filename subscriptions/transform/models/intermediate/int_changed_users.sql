{{ config(unlogged=true, indexes=[{'columns': ['user_id'], 'unique': true}], post_hook='analyze {{ this }}') }}
-- Whom anything has happened to since the transform before this one; nobody where all is built anew.
{% set since = since() %}
{% if since is none %}

select user_id from {{ ref('stg_users') }} where false

{% else %}

select user_id from {{ ref('stg_users') }} where _dlt_id > '{{ since.greatest.user }}'
union
select user_id from {{ ref('stg_subscriptions') }} where _dlt_id > '{{ since.greatest.subscription }}'
union
select user_id from {{ ref('stg_usage') }} where _dlt_id > '{{ since.greatest.usage }}'
union
-- Whose days of grace ran out, which changes no row.
select user_id
from {{ ref('stg_subscriptions') }}
where end_date > date '{{ since.as_of }}' - {{ grace() }} and end_date <= {{ as_of() }} - {{ grace() }}

{% endif %}
