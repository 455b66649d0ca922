{{ config(
    alias='_transform_receipt',
    materialized='incremental' if target.name == 'marts' else 'table',
    indexes=[{'columns': ['built_at'], 'unique': true}]
) }}
-- One row for each transform. Built last, and only when every test of every mart has passed:
{% for mart in ['mrr_monthly', 'mrr_movements', 'customer_monthly', 'churn_monthly', 'cohort_retention', 'plan_movements', 'customer_lifetime', 'usage_daily', 'referral_performance'] %}
-- depends_on: {{ ref(mart) }}
{% endfor %}
select
  '{{ last_load().load_id }}' as load_id,
  {{ as_of() }} as as_of,
  {{ since() is none }} as full_refresh,
  now() as built_at,
  extract(epoch from now() - '{{ run_started_at.isoformat() }}'::timestamptz)::float8 as duration_s,
  jsonb_build_object(
    'user', (select coalesce(max(_dlt_id), '') from {{ source('dataset', 'user') }}),
    'subscription', (select coalesce(max(_dlt_id), '') from {{ source('dataset', 'subscription') }}),
    'usage', (select coalesce(max(_dlt_id), '') from {{ source('dataset', 'usage') }})
  ) as greatest,
  {{ var('definitions') if target.name == 'staged' else 0 }} as definitions
