class WildController < ActionController::Base
  def any; end
  def ping; end
end
