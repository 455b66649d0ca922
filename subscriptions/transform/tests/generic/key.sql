{% test key(model, columns) %}
-- Rows whose key is not whole. That no two rows share one is what PostgreSQL sees to by a unique
-- index, so it is enough that there is one on these very columns.
select {{ columns | join(', ') }}
from {{ model }}
where not (({{ columns | join(', ') }}) is not null)

union all

select {% for column in columns %}null{{ ', ' if not loop.last }}{% endfor %}
where not exists (
  select
  from pg_index
  where indrelid = '{{ model }}'::regclass
    and indisunique
    and (
      select array_agg(attname::text order by attname)
      from pg_attribute
      where attrelid = indrelid and attnum = any (indkey)
    ) = (select array_agg(name order by name) from unnest(array{{ columns | list | string | replace('"', "'") }}) as name)
)
{% endtest %}
