{% test holds(model, condition) %}
-- Rows of which something is not true.
select * from {{ model }} where ({{ condition }}) is not true
{% endtest %}
