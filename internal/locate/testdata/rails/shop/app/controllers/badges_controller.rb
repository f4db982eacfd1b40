class BadgesController < ActionController::Base
  def show; end
end
