{% macro segment_key(of) -%}
  {#
    What a user's region, referral source and day of sign-up come to, in one text: were they joined
    by one by one, the planner would take the three for independent of what it knows nothing about,
    expect a single row, and look through all subscriptions for each user.
  #}
  {{ of }}.region || '/' || {{ of }}.referral_source || '/' || ({{ of }}.signup_date - date '2000-01-01')
{%- endmacro %}
